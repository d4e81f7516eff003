import type { Sql } from 'postgres'
import { MillraceError } from '../../errors.ts'

/** Of the lock that says who uses the schema: one process alone, or several together. */
export const SCHEMA_LOCK = 7_236_837_164_106

/** The tables of every store of requests. */
export const REQUEST_TABLES = `
  create schema if not exists millrace_flows;
  create table if not exists millrace_flows.requests (
    flow text not null, id text not null, state text not null, created_at float8 not null, data bytea not null,
    primary key (flow, id)
  );
  create table if not exists millrace_flows.steps (
    flow text not null, id text not null, step text not null, data bytea not null,
    primary key (flow, id, step)
  );
`

interface ClientOptions {
  readonly connections?: number
  readonly onClose?: () => void
  readonly backoff?: () => number
}

/** Makes clients of a server, over the package `postgres`. @throws TRACE_STORE_NOT_INSTALLED */
export async function clientsOf(url: string): Promise<(options?: ClientOptions) => Sql> {
  const { default: postgres } = await import('postgres').catch((cause: unknown) => {
    throw new MillraceError('TRACE_STORE_NOT_INSTALLED', { store: 'postgres', package: 'postgres' }, { cause })
  })
  return ({ connections = 1, onClose, backoff } = {}) =>
    postgres(url, {
      max: connections,
      // The lock is that of the connection.
      max_lifetime: null,
      connect_timeout: 10,
      fetch_types: false,
      connection: { application_name: 'millrace flows' },
      onnotice: () => undefined,
      ...(onClose === undefined ? {} : { onclose: onClose }),
      ...(backoff === undefined ? {} : { backoff }),
    })
}

/** An address without its password. */
export function serverOf(url: string): string {
  if (!URL.canParse(url)) return 'postgres'
  const { hostname, port, pathname } = new URL(url)
  return `${hostname}${port === '' ? '' : `:${port}`}${pathname}`
}
