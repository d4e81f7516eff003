/** Tables of a PostgreSQL server. Events and transfers lie in partitions by day (UTC): retention drops whole partitions. */
export const SCHEMA = 'millrace_trace'

/** Runs of this library that begin at the same time make it once. */
export const MAKE_SCHEMA = `
  select pg_advisory_xact_lock(7236837164105);
  create schema if not exists ${SCHEMA};
  create table if not exists ${SCHEMA}.runs (
    run text primary key, pipeline text not null, started_at double precision not null, graph jsonb);
  create table if not exists ${SCHEMA}.events (
    day date not null, run text not null, sequence bigint not null, at double precision not null, pipeline text not null,
    kind text not null, node text not null, outcome text not null, service_ms double precision not null, error text,
    traces text[] not null, event text not null
  ) partition by range (day);
  create index if not exists events_at on ${SCHEMA}.events (at);
  create index if not exists events_traces on ${SCHEMA}.events using gin (traces);
  create table if not exists ${SCHEMA}.transfers (
    day date not null, run text not null, sequence bigint not null, place int not null, at double precision not null, edge int not null,
    source text not null, destination text not null, records int not null, transfer_ns bigint not null,
    record_bytes double precision not null, base text not null, first bigint not null, trace text not null, status text not null
  ) partition by range (day);
  create index if not exists transfers_at on ${SCHEMA}.transfers (at);
  create or replace view data_flow_events as
    select to_timestamp(t.at / 1000) as timestamp, t.run || ':' || t.sequence as event_id, 'DataFlow'::text as event_type,
      t.source as source_actor, t.destination as destination_actor, t.edge::text as source_port, t.edge::text as destination_port,
      t.base || ':' || (t.first + n) as message_id, t.record_bytes as size_bytes, t.transfer_ns as execution_time_ns, t.trace as trace_id,
      t.run as execution_id, t.status as status
    from ${SCHEMA}.transfers t, generate_series(0, t.records - 1) n;
  create or replace view trace_events as
    select to_timestamp(at / 1000) as timestamp, run || ':' || sequence as event_id, kind as event_type, node as actor_id, pipeline as flow_id,
      run as execution_id, outcome as status, (service_ms * 1000000)::bigint as execution_time_ns, error, traces as trace_ids,
      event::jsonb as data
    from ${SCHEMA}.events`

/** The partitions of a day. */
export function makeDay(day: string): string {
  const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10)
  return ['events', 'transfers']
    .map(
      (table) =>
        `create table if not exists ${SCHEMA}.${partitionOf(table, day)} partition of ${SCHEMA}.${table} for values from ('${day}') to ('${next}')`,
    )
    .join(';')
}

export function partitionOf(table: string, day: string): string {
  return `${table}_${day.replaceAll('-', '')}`
}

/** The day of a time, as UTC has it. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
