/** Rows that the database refuses: found one by one, so that the others get into their table. */
import { randomUUID } from 'node:crypto'
import { type Database, IS_ROWS_FAULT } from './database.ts'
import type { Letter } from './records.ts'

/** Rows that are tried at once, before each is tried alone. */
const TRIED_ROWS = 1_000

/**
 * Writes the rows of a staging table in their order: many at once, and one by one where those are refused.
 * @param insert makes the statement for the rows of which a condition on the column `s.line` holds
 */
export async function insertApart(
  database: Database,
  stage: string,
  insert: (condition: string) => string,
): Promise<{ readonly inserted: number; readonly letters: readonly Letter[] }> {
  // Whatever the statement quotes, it does not end the block.
  const tag = `$m${randomUUID().replaceAll('-', '')}$`
  await database.execute(
    `set constraints all immediate;
    create index if not exists ${stage.slice(stage.indexOf('.') + 1)}_line on ${stage} (line);
    analyze ${stage} (line);
    drop table if exists pg_temp.refused;
    create temporary table refused (line bigint, reason text, title text) on commit drop;
    select set_config('millrace.inserted', '0', true);
    do ${tag}
    #variable_conflict use_column
    declare
      part record;
      one bigint;
      written bigint;
      inserted bigint := 0;
      detail text;
      title text;
    begin
      for part in select array_agg(line order by line) as lines from (
        select line, (row_number() over (order by line) - 1) / ${TRIED_ROWS} as part from ${stage}) numbered
        group by part order by part
      loop
        begin
          ${insert('s.line between part.lines[1] and part.lines[cardinality(part.lines)]')};
          get diagnostics written = row_count;
          inserted := inserted + written;
        exception when others then
          if not ${IS_ROWS_FAULT} then raise; end if;
          foreach one in array part.lines loop
            begin
              ${insert('s.line = one')};
              get diagnostics written = row_count;
              inserted := inserted + written;
            exception when others then
              if not ${IS_ROWS_FAULT} then raise; end if;
              get stacked diagnostics detail = pg_exception_detail, title = column_name;
              insert into pg_temp.refused values (one, concat_ws(' ', sqlerrm, nullif(detail, '')), nullif(title, ''));
            end;
          end loop;
        end;
      end loop;
      perform set_config('millrace.inserted', inserted::text, true);
    end ${tag}`,
  )
  const refused = await database.query<{ line: number; reason: string; title: string | null; cells: unknown }>(
    `select r.line::float8 as line, r.reason, r.title, to_jsonb(s) - 'line' - '_file' as cells
    from pg_temp.refused r join ${stage} s on s.line = r.line order by r.line`,
  )
  const [counted] = await database.query<{ inserted: number }>(
    `select current_setting('millrace.inserted')::float8 as inserted`,
  )
  return {
    inserted: counted!.inserted,
    letters: refused.map(({ line, reason, title, cells }) => ({
      line,
      reason: `the database refuses it: ${reason}`,
      ...(title === null ? {} : { column: title }),
      raw: csvText(cellsOf(cells as Record<string, unknown>)),
    })),
  }
}

/** The cells of a staged row. */
function cellsOf(row: Readonly<Record<string, unknown>>): (string | null)[] {
  const wide = row['cells']
  if (Array.isArray(wide)) return wide as (string | null)[]
  const names = Object.keys(row).toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
  return names.map((name) => row[name] as string | null)
}

/** A row as a file with commas would have it. */
function csvText(cells: readonly (string | null)[]): string {
  return cells
    .map((cell) =>
      cell === null ? '' : cell === '' || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell,
    )
    .join()
}
