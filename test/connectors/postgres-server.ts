import postgres from 'postgres'
import type { ServerUnderTest } from './bench.js'
import { isThere } from './servers.js'

export const URL_HERE = new URL(process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres')

/** The server of this machine; tables of our own in it. */
export async function findPostgres(kind: 'source' | 'sink'): Promise<ServerUnderTest | string> {
  const serverPort = Number(URL_HERE.port)
  if (!(await isThere(serverPort))) return `nothing listens on ${URL_HERE.host}`
  const sql = postgres(URL_HERE.href, { max: 1, onnotice: () => undefined })
  const prefix = `millrace_${kind}_${process.pid}`
  const made: string[] = []
  return {
    port: serverPort,
    async queue() {
      const table = `${prefix}_${made.length}`
      made.push(table)
      if (kind === 'sink') await sql`create table ${sql(table)} (n integer primary key, filler text)`
      else
        await sql`
          create table ${sql(table)} (
            id bigint generated always as identity primary key, body text not null,
            deliveries integer not null default 0, due_at timestamptz not null default now())`
      return {
        options: (port, redeliversSoon) => {
          const url = new URL(URL_HERE)
          url.port = String(port)
          if (kind === 'sink') return { url: url.href, table, key: ['n'] }
          return { url: url.href, table, lookMs: 20, leaseMs: redeliversSoon === true ? 1_500 : 3_600_000 }
        },
        async send(texts) {
          await sql`insert into ${sql(table)} (body) select unnest(${texts as string[]}::text[])`
        },
        async unsettled() {
          const [row] = await sql`select count(*)::int n from ${sql(table)} where due_at > now()`
          return row!['n'] as number
        },
        async left() {
          const [row] = await sql`select count(*)::int n from ${sql(table)}`
          return row!['n'] as number
        },
        async received() {
          return (await sql`select n from ${sql(table)} order by n`).map((row) => JSON.stringify(row))
        },
      }
    },
    withWrongCredentials(options) {
      const url = new URL((options as { url: string }).url)
      url.username = 'millrace_nobody'
      url.password = 'wrong-secret'
      return { ...options, url: url.href }
    },
    ...(kind === 'source' ? {} : { withoutQueue: (options: object) => ({ ...options, table: 'millrace_nothing' }) }),
    async close() {
      for (const table of made) await sql`drop table ${sql(table)}`
      await sql.end()
    },
  }
}
