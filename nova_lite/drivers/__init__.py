"""What touches the host: hypervisor, links, firewall, image files. Knows neither database nor bus."""
