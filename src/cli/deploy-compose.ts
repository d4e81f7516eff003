import type { GraphData, Technology } from '../graph/types.ts'
import {
  ADDRESSES,
  API_PORT,
  commandOf,
  type DeployOptions,
  GRACE_SECONDS,
  type PartService,
} from './deploy-services.ts'
import type { YamlValue } from './yaml.ts'

/** A broker as a service of its own, for trying out: it keeps what it holds in a volume. */
const BROKERS: Readonly<
  Record<
    Technology,
    {
      readonly image: string
      readonly command?: readonly string[]
      readonly environment?: Readonly<Record<string, string>>
      readonly address: string
      readonly folder: string
      readonly test: readonly string[]
    }
  >
> = {
  nats: {
    image: 'nats:2-alpine',
    command: ['-js', '-sd', '/data', '-m', '8222'],
    address: 'nats://nats:4222',
    folder: '/data',
    test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8222/healthz'],
  },
  redis: {
    image: 'redis:7-alpine',
    command: ['redis-server', '--appendonly', 'yes'],
    address: 'redis://redis:6379',
    folder: '/data',
    test: ['CMD', 'redis-cli', 'ping'],
  },
  rabbitmq: {
    image: 'rabbitmq:3',
    address: 'amqp://guest:guest@rabbitmq:5672',
    folder: '/var/lib/rabbitmq',
    test: ['CMD', 'rabbitmq-diagnostics', '-q', 'ping'],
  },
  postgres: {
    image: 'postgres:15-alpine',
    environment: { POSTGRES_PASSWORD: 'postgres' },
    address: 'postgres://postgres:postgres@postgres:5432/postgres',
    folder: '/var/lib/postgresql/data',
    test: ['CMD', 'pg_isready', '-U', 'postgres'],
  },
}

/** The graph as a Compose file: a service for each part, and the brokers between them. */
export function composeOf(graph: GraphData, services: readonly PartService[], options: DeployOptions): YamlValue {
  const technologies = [...new Set(services.flatMap((service) => service.technologies))]
  const parts = services.map((service) => [service.name, partService(service, options, services.length === 1)] as const)
  const brokers = technologies.map((technology) => [technology, brokerService(technology)] as const)
  const volumes = technologies.map((technology) => [technology, {}] as const)
  return {
    name: nameOf(graph.name),
    services: Object.fromEntries([...parts, ...brokers]),
    ...(volumes.length === 0 ? {} : { volumes: Object.fromEntries(volumes) }),
  }
}

function partService(service: PartService, options: DeployOptions, isOnly: boolean): YamlValue {
  const { technologies, instances, cores, memoryMb } = service
  const ask = `fetch('http://127.0.0.1:${API_PORT}/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`
  const addresses = technologies.map((each) => [ADDRESSES[each].variable, BROKERS[each].address] as const)
  return {
    image: options.image,
    command: commandOf(service, options, isOnly),
    init: true,
    restart: 'unless-stopped',
    stop_signal: 'SIGTERM',
    stop_grace_period: `${GRACE_SECONDS}s`,
    ...(addresses.length === 0 ? {} : { environment: Object.fromEntries(addresses) }),
    ...(technologies.length === 0
      ? {}
      : { depends_on: Object.fromEntries(technologies.map((each) => [each, { condition: 'service_healthy' }])) }),
    healthcheck: { test: ['CMD', 'node', '-e', ask], interval: '10s', timeout: '5s', retries: 3, start_period: '30s' },
    deploy: {
      replicas: instances,
      resources: {
        limits: { memory: `${memoryMb}M` },
        reservations: { cpus: String(cores), memory: `${memoryMb}M` },
      },
    },
  }
}

function brokerService(technology: Technology): YamlValue {
  const { image, command, environment, folder, test } = BROKERS[technology]
  return {
    image,
    ...(command === undefined ? {} : { command }),
    ...(environment === undefined ? {} : { environment }),
    restart: 'unless-stopped',
    volumes: [`${technology}:${folder}`],
    healthcheck: { test, interval: '5s', timeout: '5s', retries: 12 },
  }
}

function nameOf(graph: string): string {
  const name = graph.toLowerCase().replaceAll(/[^a-z0-9_-]+/g, '-')
  return /^[a-z0-9]/.test(name) ? name : `graph${name}`
}
