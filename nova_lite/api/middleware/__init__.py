"""WSGI filters that api-paste.ini stacks before an application."""
