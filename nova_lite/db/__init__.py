"""The only home of SQL: named transactions, tables and queries; rows never leave, frozen values do."""
