// For the type check of the console: the package declares the types of its own modules alone.
export * from 'lightweight-charts';
