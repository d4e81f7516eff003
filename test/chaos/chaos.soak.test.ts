import { killAll } from './kills.js'

killAll(10_000, Math.floor(Math.random() * 1_000_000))
