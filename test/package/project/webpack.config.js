const common = { mode: 'production', target: 'node20', entry: './js/main.js', devtool: 'source-map' }
const folder = (name) => `${import.meta.dirname ?? process.cwd()}/out/${name}`
const esm = { experiments: { outputModule: true } }

export default [
  { ...common, output: { path: folder('webpack-cjs'), filename: 'main.cjs' } },
  {
    ...common,
    optimization: { splitChunks: { chunks: 'all', minSize: 0 } },
    output: { path: folder('webpack-split'), filename: '[name].cjs', chunkFilename: '[id].cjs' },
  },
  { ...common, ...esm, output: { module: true, path: folder('webpack-esm'), filename: 'main.mjs' } },
  {
    ...common,
    ...esm,
    externalsType: 'module',
    externals: { millrace: 'millrace' },
    // Where packages stay outside, `import.meta.url` has to stay what it is.
    module: { parser: { javascript: { importMeta: false } } },
    output: { module: true, path: folder('webpack-external'), filename: 'main.mjs' },
  },
]
