export default {
  output: 'standalone',
  outputFileTracingRoot: `${import.meta.dirname}/..`,
  serverExternalPackages: ['millrace'],
  outputFileTracingIncludes: { '/*': ['./lib/*.mjs', '../node_modules/millrace/dist/**/*.{js,cjs}'] },
}
