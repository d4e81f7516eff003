import { type Broker, brokerOf, type Hop, type HopHandlers } from '../../plan/definition.ts'
import { importModule } from './load.ts'

/**
 * What the connector of a broker does at one end of a buffer. The module of the graph has loaded the connector where it calls
 * `nats` and the like; a graph that comes from JSON has not.
 * @throws MODULE_NOT_LOADED
 */
export async function loadHop(hop: Hop, kind: 'source' | 'transform' | 'sink'): Promise<HopHandlers> {
  const { technology } = hop.via
  const broker = brokerOf(technology) ?? (await imported(technology))
  return kind === 'source' ? broker.reader(hop) : broker.writer(hop)
}

async function imported(technology: string): Promise<Broker> {
  const url = new URL(`../../connectors/${technology}/index.js`, import.meta.url).href
  return (await importModule(url, 'native'))[`${technology}Broker`] as Broker
}
