/** A theme with some keys replaced; what is not said stays. */
export function extend(from, overrides) {
  return Object.freeze({
    ...from,
    ...overrides,
    colors: Object.freeze({ ...from.colors, ...overrides.colors }),
    shapes: Object.freeze({ ...from.shapes, ...overrides.shapes }),
    paths: Object.freeze({ ...from.paths, ...overrides.paths }),
  })
}
/** The line of a path type. */
export function pathStyle(path, theme) {
  return path === 'normal' ? { color: theme.edgeColor, style: 'solid', width: theme.edgePenWidth } : theme.paths[path]
}
