import { killAll } from './kills.js'

killAll(200, 90_303)
