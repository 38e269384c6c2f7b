"""Arrays in, numbers with intervals out. No tables, no models, no drawings."""
