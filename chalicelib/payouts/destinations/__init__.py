"""Where a member is paid: bank accounts, checked, sealed so that only the paying workers read."""
