"""What tests share: network namespaces, real nginx, snapshots to start from."""
