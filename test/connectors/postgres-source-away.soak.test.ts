import { sourceGuarantees } from './guarantees.js'
import { findPostgres } from './postgres-server.js'

sourceGuarantees({
  isSoak: true,
  name: 'postgresSource',
  module: new URL('./modules/postgres.js', import.meta.url).href,
  maker: 'postgresIn',
  start: () => findPostgres('source'),
})
