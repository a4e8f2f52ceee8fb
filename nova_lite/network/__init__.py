"""nova-network: gives addresses out and keeps bridges, DHCP and NAT of its host as the database says."""
