import { check } from './check.ts'
import type { Command } from './command.ts'
import { draw } from './draw.ts'
import { rehearse } from './rehearse.ts'
import { simulate } from './simulate.ts'

/** The commands of `millrace`, in the order of the help. */
export const COMMANDS: Readonly<Record<string, Command>> = { check, simulate, rehearse, draw }
