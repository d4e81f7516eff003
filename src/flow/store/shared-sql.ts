import type { Sql } from 'postgres'
import { merged } from './owned-changes.ts'
import { REQUEST_TABLES, SCHEMA_LOCK } from './postgres-client.ts'
import type { OwnedChange, SharedLimits } from './shared-store.ts'

/**
 * What instances share besides the requests. An instance that is deleted has nothing any more: the database sees to that. A row
 * that a process alone has written is open until an instance has looked at it.
 */
export const SHARED_TABLES = `
  select pg_advisory_xact_lock(${SCHEMA_LOCK + 1});
  ${REQUEST_TABLES}
  create table if not exists millrace_flows.instances (id text primary key, lease_until timestamptz not null);
  alter table millrace_flows.requests
    add column if not exists is_open boolean not null default true,
    add column if not exists owner text references millrace_flows.instances on delete set null,
    add column if not exists epoch integer not null default 0,
    add column if not exists asked text,
    add column if not exists started_at float8,
    add column if not exists ended_at timestamptz;
  create index if not exists requests_free on millrace_flows.requests (flow, created_at, id)
    where is_open and owner is null and asked is null and state <> 'paused';
  create index if not exists requests_asked on millrace_flows.requests (flow)
    where is_open and asked is not null;
  create index if not exists requests_owned on millrace_flows.requests (owner) where owner is not null;
  create index if not exists requests_ended on millrace_flows.requests (flow, ended_at) where not is_open;
`
export const HAS_TABLES = `select to_regclass('millrace_flows.requests_ended') is not null as there`
/** Whoever waits for an end has so long to read it. */
const READ_MS = 10_000

interface Taking {
  readonly flow: string
  readonly instance: string
  readonly room: number
  readonly except: readonly string[]
}

/** An instance that is not there any more takes nothing: the database refuses it. @returns the ids of what was taken */
export async function takeRows(sql: Sql, { flow, instance, room, except }: Taking): Promise<readonly string[]> {
  const not = JSON.stringify(except)
  const rows = await sql<{ id: string }[]>`
      with wanted as materialized (
    select id from millrace_flows.requests
    where flow = ${flow} and is_open and owner is null and asked is not null
      and id not in (select json_array_elements_text(${not}::text::json))
    for no key update skip locked
      ), free as materialized (
    select id from millrace_flows.requests
    where flow = ${flow} and is_open and owner is null and asked is null and state <> 'paused'
      and id not in (select json_array_elements_text(${not}::text::json))
    order by created_at, id limit ${room}::bigint
    for no key update skip locked
      )
      update millrace_flows.requests r
      set owner = ${instance}, epoch = r.epoch + 1, state = case r.state when 'queued' then 'running' else r.state end,
    started_at = coalesce(r.started_at, extract(epoch from clock_timestamp()) * 1000)
      from (select id from wanted union all select id from free) found
      where r.flow = ${flow} and r.id = found.id
      returning r.id`
  return rows.map(({ id }) => id)
}

/** In one statement, so that no process that is stopped in the middle keeps others waiting. @returns what its owner still has */
export function saveRows(
  sql: Sql,
  flow: string,
  changes: readonly OwnedChange[],
): Promise<readonly { readonly id: string; readonly epoch: number }[]> {
  const { rows: given, steps } = merged(changes)
  return sql<{ id: string; epoch: number }[]>`
      with given as materialized (
    select * from json_to_recordset(${JSON.stringify(given)}::text::json)
      as g (id text, epoch integer, state text, is_open boolean, data text, done text, release boolean)
      ), held as materialized (
    select r.id, r.epoch from millrace_flows.requests r join given g on r.id = g.id and r.epoch = g.epoch
    where r.flow = ${flow} order by r.id
    for no key update of r
      ), kept as (
    insert into millrace_flows.steps
    select ${flow}, s.id, s.step, decode(s.data, 'base64')
    from json_to_recordset(${JSON.stringify(steps)}::text::json) as s (id text, epoch integer, step text, data text)
    join held on held.id = s.id and held.epoch = s.epoch
    on conflict (flow, id, step) do update set data = excluded.data
      ), saved as (
    update millrace_flows.requests r
    set state = case when g.release and coalesce(g.state, r.state) = 'running' then 'queued' else coalesce(g.state, r.state) end,
      data = coalesce(decode(g.data, 'base64'), r.data),
      is_open = coalesce(g.is_open, r.is_open),
      ended_at = case when g.is_open = false then clock_timestamp() else r.ended_at end,
      owner = case when g.is_open = false or g.release then null else r.owner end,
      asked = case when g.is_open = false or r.asked = g.done then null else r.asked end
    from given g join held on held.id = g.id and held.epoch = g.epoch
    where r.flow = ${flow} and r.id = g.id and (g.state is not null or g.done is not null or g.release)
      )
      select id, epoch from held`
}

export async function forgetRows(
  sql: Sql,
  flow: string,
  { keepRequests, keepMs, keepBytes }: SharedLimits,
): Promise<void> {
  const hasBytes = keepBytes < Infinity
  await sql`
      with ended as (
    select id, ended_at, row_number() over newest as place, sum(bytes) over newest as bytes
    from (
      select id, ended_at, case when ${hasBytes}::boolean then octet_length(data) + coalesce((
        select sum(octet_length(s.data)) from millrace_flows.steps s where s.flow = r.flow and s.id = r.id), 0)
      else 0 end as bytes
      from millrace_flows.requests r where flow = ${flow} and not is_open
    ) known
    window newest as (order by ended_at desc, id)
      ), forgotten as (
    delete from millrace_flows.requests where flow = ${flow} and not is_open and id in (
      select id from ended
      where ended_at < clock_timestamp() - ${READ_MS}::float8 * interval '1 ms'
        and (place > ${keepRequests}::bigint or bytes > ${String(keepBytes)}::float8
          or extract(epoch from clock_timestamp() - ended_at) * 1000 > ${String(keepMs)}::float8)
    ) returning id
      )
      delete from millrace_flows.steps s using forgotten f where s.flow = ${flow} and s.id = f.id`
}
