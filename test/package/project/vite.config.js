export default {
  logLevel: 'error',
  build: { ssr: 'src/main.ts', outDir: 'out/vite', minify: process.env.WHOLE !== undefined, sourcemap: true },
  ssr: process.env.WHOLE === undefined ? {} : { noExternal: true },
}
