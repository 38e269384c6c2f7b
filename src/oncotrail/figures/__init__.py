"""Numbers -> drawings. A figure drawn twice from the same numbers is the same bytes."""
