"""Who is studied: the tables, the outcome, eligibility, the split."""
