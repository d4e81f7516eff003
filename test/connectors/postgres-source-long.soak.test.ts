import { sourceGuarantees } from './guarantees.js'
import { findPostgres } from './postgres-server.js'

sourceGuarantees({
  name: 'postgresSource',
  module: new URL('./modules/postgres.js', import.meta.url).href,
  maker: 'postgresIn',
  isLong: true,
  start: () => findPostgres('source'),
})
