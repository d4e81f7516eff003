/** The tables of the books, in the schema `millrace_imports`. */
import type { Database } from './database.ts'

export const BOOKS = 'millrace_imports'
/** Held while names are given and tables of the books are made. */
const NAMES_LOCK = 7_113_001

/** As they are made, and then what later versions have added. */
const TABLES = `
create schema if not exists ${BOOKS};
create table if not exists ${BOOKS}.sources (
  id integer generated always as identity primary key,
  name text not null unique,
  directory text not null,
  is_given boolean not null,
  schema_name text not null
);
create table if not exists ${BOOKS}.kinds (
  id integer generated always as identity primary key,
  source integer not null references ${BOOKS}.sources,
  name text not null,
  table_name text not null,
  is_made boolean not null default false,
  mode text not null default 'replace',
  unique (source, name)
);
create table if not exists ${BOOKS}.columns (
  kind integer not null references ${BOOKS}.kinds,
  name text not null,
  title text not null,
  occurrence integer not null,
  place integer not null,
  type text,
  format jsonb not null,
  longest integer not null,
  is_rest boolean not null,
  primary key (kind, name)
);
create table if not exists ${BOOKS}.runs (
  id integer generated always as identity primary key,
  source integer not null references ${BOOKS}.sources,
  started timestamptz not null default clock_timestamp(),
  finished timestamptz
);
alter table ${BOOKS}.runs
  drop column if exists key,
  add column if not exists message text,
  add column if not exists is_interrupted boolean not null default false,
  add column if not exists unchanged integer not null default 0;
create table if not exists ${BOOKS}.files (
  id integer generated always as identity primary key,
  source integer not null references ${BOOKS}.sources,
  path text not null,
  kind integer not null references ${BOOKS}.kinds,
  rows bigint not null default 0,
  digest text,
  columns jsonb not null default '[]',
  unique (source, path)
);
alter table ${BOOKS}.files
  add column if not exists seen text,
  add column if not exists dead_letters bigint not null default 0;
create table if not exists ${BOOKS}.results (
  run integer not null references ${BOOKS}.runs,
  file integer not null references ${BOOKS}.files,
  outcome text not null,
  rows bigint not null,
  inserted bigint not null,
  deleted bigint not null,
  dead_letters bigint not null,
  message text,
  remarks jsonb not null,
  finished timestamptz not null default clock_timestamp(),
  primary key (run, file)
);
alter table ${BOOKS}.results add column if not exists missing bigint not null default 0;
create table if not exists ${BOOKS}.schema_changes (
  run integer not null references ${BOOKS}.runs,
  file integer not null references ${BOOKS}.files,
  table_name text not null,
  column_name text not null,
  change text not null,
  happened timestamptz not null default clock_timestamp()
);
create table if not exists ${BOOKS}.dead_letters (
  file integer not null references ${BOOKS}.files,
  line bigint not null,
  run integer not null references ${BOOKS}.runs,
  column_title text,
  value text,
  reason text not null,
  raw text not null
);
create index if not exists dead_letters_file on ${BOOKS}.dead_letters (file);
create unlogged table if not exists ${BOOKS}.loads (
  file integer primary key,
  version text not null,
  pieces integer,
  staged integer not null default 0
);
alter table ${BOOKS}.loads add column if not exists types jsonb;
alter table ${BOOKS}.kinds add column if not exists is_paused boolean not null default false;
create unlogged table if not exists ${BOOKS}.pieces (
  file integer not null,
  piece integer not null,
  facts jsonb not null,
  letters jsonb not null,
  primary key (file, piece)
);`

/** Makes the books where there are none, or none of this version, and keeps others from giving names until the transaction ends. */
export async function openBooks(database: Database): Promise<void> {
  await database.query('select pg_advisory_xact_lock($1)', [NAMES_LOCK])
  const [made] = await database.query<{ made: boolean }>(
    `select to_regclass('${BOOKS}.pieces') is not null and exists (
      select from pg_attribute where attrelid = to_regclass('${BOOKS}.kinds') and attname = 'is_paused') as made`,
  )
  if (!made!.made) await database.execute(TABLES)
}
