import commonjs from '@rollup/plugin-commonjs'
import resolve from '@rollup/plugin-node-resolve'

const isWhole = process.env.WHOLE !== undefined
const own = { preferBuiltins: true, exportConditions: ['node'] }

export default ['es', 'cjs'].map((format) => ({
  input: 'js/main.js',
  external: isWhole ? [] : ['millrace'],
  plugins: isWhole ? [resolve(own), commonjs()] : [],
  output: {
    dir: `out/rollup-${format}`,
    format,
    sourcemap: true,
    entryFileNames: format === 'es' ? '[name].mjs' : '[name].cjs',
    chunkFileNames: format === 'es' ? '[name].mjs' : '[name].cjs',
  },
}))
