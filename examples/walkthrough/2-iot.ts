/** Three sensors send more than one parser takes, and the aggregator takes less still: where does it queue, and who waits? */
import { dataflow } from 'millrace'

export default dataflow('iot')
  .source('sensor_a', { label: 'Sensor A', rate: 2_000 })
  .source('sensor_b', { label: 'Sensor B', rate: 3_000 })
  .source('sensor_c', { label: 'Sensor C', rate: 5_000 })
  .merge('mux', { label: 'Merge' })
  .transform('parser', { label: 'Parser', latencyMs: 50 })
  .buffer('rabbitmq', { label: 'RabbitMQ', capacity: 8_000 })
  .transform('aggregator', { label: 'Window Aggregator', latencyMs: 200 })
  .sink('influxdb', { label: 'InfluxDB' })
  .connect('sensor_a', 'mux')
  .connect('sensor_b', 'mux')
  .connect('sensor_c', 'mux')
  .connect('mux', 'parser')
  .connect('parser', 'rabbitmq')
  .connect('rabbitmq', 'aggregator')
  .connect('aggregator', 'influxdb')
