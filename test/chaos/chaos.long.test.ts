import { killAll } from './kills.js'

killAll(500, 90_303)
