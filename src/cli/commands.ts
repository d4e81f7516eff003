import { check } from './check.ts'
import type { Command } from './command.ts'
import { diff } from './diff.ts'
import { draw } from './draw.ts'
import { importFiles } from './import.ts'
import { init } from './init.ts'
import { mcp } from './mcp.ts'
import { rehearse } from './rehearse.ts'
import { run } from './run.ts'
import { simulate } from './simulate.ts'
import { top } from './top.ts'
import { trace } from './trace.ts'

/** The commands of `millrace`, in the order of the help. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  init,
  run,
  import: importFiles,
  top,
  trace,
  check,
  simulate,
  rehearse,
  diff,
  draw,
  mcp,
}
