import { deathsInNet } from './in-net.js'

deathsInNet(1_000_000, String(Math.floor(Math.random() * 2 ** 31)))
