import { killAll } from './kills.js'

/** The net does the many deaths (`test/net`). The seed is fixed, so that a failure is the change's. */
killAll(25, 90_302)
