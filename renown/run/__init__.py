"""Running the whole: the stack of processes, the end of a run that ends, its report."""
