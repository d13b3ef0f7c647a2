// Written for this package, in place of the library's own: formats are annotations here.
export const format = {};
