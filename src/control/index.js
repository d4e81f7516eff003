export { control } from './control.js'
export { serveControl } from './serve.js'
export { ControlClient } from './client.js'
