"""What operators see of the workers: metrics that cost something per batch or scrape only."""
