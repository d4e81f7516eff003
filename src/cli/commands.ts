import { checkCommand } from './check.ts'
import type { Command } from './command.ts'
import { deployCommand } from './deploy.ts'
import { diffCommand } from './diff.ts'
import { drawCommand } from './draw.ts'
import { importCommand } from './import.ts'
import { initCommand } from './init.ts'
import { mcpCommand } from './mcp.ts'
import { rehearseCommand } from './rehearse.ts'
import { runCommand } from './run.ts'
import { simulateCommand } from './simulate.ts'
import { topCommand } from './top.ts'
import { traceCommand } from './trace.ts'

/** The commands of `millrace`, in the order of the help. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  init: initCommand,
  run: runCommand,
  import: importCommand,
  top: topCommand,
  trace: traceCommand,
  check: checkCommand,
  simulate: simulateCommand,
  rehearse: rehearseCommand,
  diff: diffCommand,
  draw: drawCommand,
  deploy: deployCommand,
  mcp: mcpCommand,
}
