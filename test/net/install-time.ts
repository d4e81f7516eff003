/** Import it first: what the library takes of timers and clocks, it takes when it is loaded. */
import { time } from '#src/test-kit/virtual-time.js'

time.install()
