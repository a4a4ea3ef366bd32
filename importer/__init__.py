"""Customers from spreadsheets onto RocketKOR."""
