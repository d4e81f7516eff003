const isWhole = process.env.WHOLE !== undefined

export default {
  entry: ['src/main.ts'],
  format: ['esm', 'cjs'],
  outDir: 'out/tsup',
  outExtension: ({ format }) => ({ js: format === 'esm' ? '.mjs' : '.cjs' }),
  sourcemap: true,
  shims: true,
  silent: true,
  minify: isWhole,
  noExternal: isWhole ? [/./] : [],
}
