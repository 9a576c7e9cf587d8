"""Connect attachments of transit gateways: GRE tunnels to appliances, and the routes told through them."""
