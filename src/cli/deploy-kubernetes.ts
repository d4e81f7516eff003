import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Container, EnvVar, Service as KubernetesService } from 'kubernetes-types/core/v1.js'
import type { GraphData, Via } from '../graph/types.ts'
import {
  ADDRESSES,
  API_PORT,
  commandOf,
  type DeployOptions,
  GRACE_SECONDS,
  type PartService,
  queueOf,
} from './deploy-services.ts'
import type { YamlValue } from './yaml.ts'

/** Where the addresses of the brokers are said: the user makes this secret. */
const SECRET = 'millrace-brokers'

/**
 * The graph as manifests: for each part a Deployment and a Service; and for parts that only read queues, a ScaledObject of KEDA, which
 * starts as many instances as the lag of their queues needs.
 */
export function kubernetesOf(
  graph: GraphData,
  services: readonly PartService[],
  options: DeployOptions,
): readonly YamlValue[] {
  const isOnly = services.length === 1
  return services.flatMap((service) => [
    plain(deploymentOf(graph, service, options, isOnly)),
    plain(serviceOf(graph, service)),
    ...(service.isShared ? [scaledObjectOf(graph, service, options)] : []),
  ])
}

/** What is typed as Kubernetes has it is a document too. */
function plain(manifest: Deployment | KubernetesService): YamlValue {
  return manifest as unknown as YamlValue
}

function labelsOf(graph: GraphData, { name }: PartService): Record<string, string> {
  return { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': labelValue(graph.name) }
}

function labelValue(text: string): string {
  const value = text.replaceAll(/[^\w.-]+/g, '-').slice(0, 63)
  return value.replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '') || 'graph'
}

function deploymentOf(graph: GraphData, service: PartService, options: DeployOptions, isOnly: boolean): Deployment {
  const { name, instances, isShared } = service
  const labels = labelsOf(graph, service)
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      // A part that is scaled by its lag says no number here: it would be set back with each change.
      ...(isShared ? {} : { replicas: instances }),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: GRACE_SECONDS,
          containers: [containerOf(service, options, isOnly)],
        },
      },
    },
  }
}

function containerOf(service: PartService, options: DeployOptions, isOnly: boolean): Container {
  const { name, cores, memoryMb, technologies } = service
  const env = technologies.map((technology): EnvVar => {
    const { variable } = ADDRESSES[technology]
    return { name: variable, valueFrom: { secretKeyRef: { name: SECRET, key: variable } } }
  })
  return {
    name,
    image: options.image,
    command: [...commandOf(service, options, isOnly)],
    ports: [{ name: 'control', containerPort: API_PORT }],
    ...(env.length === 0 ? {} : { env }),
    livenessProbe: { httpGet: { path: '/health', port: 'control' }, periodSeconds: 10, failureThreshold: 3 },
    readinessProbe: { httpGet: { path: '/ready', port: 'control' }, periodSeconds: 5 },
    startupProbe: { httpGet: { path: '/health', port: 'control' }, periodSeconds: 2, failureThreshold: 30 },
    resources: {
      requests: { cpu: `${cores * 1_000}m`, memory: `${memoryMb}Mi` },
      limits: { memory: `${memoryMb}Mi` },
    },
  }
}

function serviceOf(graph: GraphData, service: PartService): KubernetesService {
  const labels = labelsOf(graph, service)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: service.name, labels },
    spec: { selector: labels, ports: [{ name: 'control', port: API_PORT, targetPort: 'control' }] },
  }
}

function scaledObjectOf(graph: GraphData, service: PartService, { most }: DeployOptions): YamlValue {
  const { name, instances, queues, lagPerInstance } = service
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name, labels: labelsOf(graph, service) },
    spec: {
      scaleTargetRef: { name },
      minReplicaCount: instances,
      maxReplicaCount: Math.max(most, instances),
      cooldownPeriod: 300,
      triggers: queues.map((via) => triggerOf(via, String(lagPerInstance))),
    },
  }
}

/** The address that the graph has, or what is usual. */
function addressIn(via: Via, usual: string): string {
  const given = via[ADDRESSES[via.technology].option]
  return typeof given === 'string' ? given : usual
}

/** How KEDA reads the lag of a queue. */
function triggerOf(via: Via, lag: string): YamlValue {
  const queue = queueOf(via)
  const { variable } = ADDRESSES[via.technology]
  switch (via.technology) {
    case 'nats': {
      const host = new URL(addressIn(via, 'nats://nats:4222').split(',')[0]!.trim()).hostname
      const natsServerMonitoringEndpoint = `${host}:8222`
      return {
        type: 'nats-jetstream',
        metadata: {
          natsServerMonitoringEndpoint,
          account: '$G',
          stream: queue,
          consumer: 'millrace',
          lagThreshold: lag,
        },
      }
    }
    case 'redis': {
      const { host } = new URL(addressIn(via, 'redis://redis:6379'))
      return {
        type: 'redis-streams',
        metadata: { address: host, stream: queue, consumerGroup: 'millrace', streamLength: lag },
      }
    }
    case 'rabbitmq':
      return {
        type: 'rabbitmq',
        metadata: { hostFromEnv: variable, protocol: 'amqp', queueName: queue, mode: 'QueueLength', value: lag },
      }
    default: {
      const query = `select count(*) from ${queue} where due_at < 'infinity'`
      return { type: 'postgresql', metadata: { connectionFromEnv: variable, query, targetQueryValue: lag } }
    }
  }
}
