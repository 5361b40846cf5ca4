"""From where money is paid: the accounts that an operator pays from, and what is secret of them."""
