"""What several test areas share: servers, processes, browser."""
