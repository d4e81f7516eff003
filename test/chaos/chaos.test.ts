import { killAll } from './kills.js'

/** The net does the many deaths (`test/net`). The seed is fixed, so that a failure is the change's. */
killAll(75, 90_302)
