/** The sensors with handlers: three sources meet, readings are parsed, and aggregated by sensor in windows of time. */
import { dataflow } from 'millrace'

interface Reading {
  readonly sensor: string
  readonly value: number
}

function* readings(sensor: string, count: number): Generator<string> {
  for (let n = 0; n < count; n++) yield `${sensor};${20 + (n % 10)}`
}

function parse(text: string): Reading {
  const [sensor = '', value] = text.split(';')
  return { sensor, value: Number(value) }
}

function aggregate(window: Reading[]): { sensor: string; count: number; mean: number }[] {
  const mean = window.reduce((sum, { value }) => sum + value, 0) / window.length
  return [{ sensor: window[0]!.sensor, count: window.length, mean }]
}

export default dataflow('iot', import.meta.url)
  .source('sensor_a', { produce: () => readings('a', 200) })
  .source('sensor_b', { produce: () => readings('b', 300) })
  .source('sensor_c', { produce: () => readings('c', 500) })
  .merge('mux')
  .transform('parser', { map: parse })
  .buffer('rabbitmq', { capacity: 8_000 })
  .transform('aggregator', {
    batch: { size: 100, timeoutMs: 50, by: ({ sensor }: Reading) => sensor },
    mapBatch: aggregate,
  })
  .sink('influxdb')
  .connect('sensor_a', 'mux')
  .connect('sensor_b', 'mux')
  .connect('sensor_c', 'mux')
  .connect('mux', 'parser')
  .connect('parser', 'rabbitmq')
  .connect('rabbitmq', 'aggregator')
  .connect('aggregator', 'influxdb')
