/** Tables of a SQLite file. `numbers` makes a row for each record of a frame in the view. */
export const MAKE_TABLES = `
  create table if not exists runs (run text primary key, pipeline text not null, started_at real not null, graph text);
  create table if not exists events (
    id integer primary key, run text not null, sequence integer not null, at real not null, pipeline text not null, kind text not null,
    node text not null, outcome text not null, service_ms real not null, error text, event text not null);
  create index if not exists events_at on events (at);
  create table if not exists links (trace text not null, event integer not null, primary key (trace, event)) without rowid;
  create index if not exists links_event on links (event);
  create table if not exists transfers (
    run text not null, sequence integer not null, place integer not null, at real not null, edge integer not null, source text not null,
    destination text not null, records integer not null, transfer_ns integer not null, record_bytes real not null, base text not null,
    first integer not null, trace text not null, status text not null);
  create index if not exists transfers_at on transfers (at);
  create table if not exists numbers (n integer primary key);
  insert or ignore into numbers
    with recursive upto (n) as (select 0 union all select n + 1 from upto where n < 4095) select n from upto
    where not exists (select 1 from numbers where n = 4095);
  create view if not exists data_flow_events as
    select t.at as timestamp, t.run || ':' || t.sequence as event_id, 'DataFlow' as event_type, t.source as source_actor,
      t.destination as destination_actor, cast(t.edge as text) as source_port, cast(t.edge as text) as destination_port,
      t.base || ':' || (t.first + n.n) as message_id, t.record_bytes as size_bytes, t.transfer_ns as execution_time_ns, t.trace as trace_id,
      t.run as execution_id, t.status as status
    from transfers t join numbers n on n.n < t.records;
  create view if not exists trace_events as
    select at as timestamp, run || ':' || sequence as event_id, kind as event_type, node as actor_id, pipeline as flow_id,
      run as execution_id, outcome as status, cast(service_ms * 1000000 as integer) as execution_time_ns, error, event as data
    from events;`
