import { defineConfig } from 'vitepress'

const page = (text: string, link: string) => ({ text, link })

/** The same Markdown as a site: `npm run docs` builds it into `site/`. Search works without a network. */
export default defineConfig({
  title: 'Millrace',
  description: 'Dataflow for Node that uses every core',
  srcDir: '.',
  outDir: '../site',
  cacheDir: '../build/vitepress',
  cleanUrls: false,
  lastUpdated: false,
  // Pages link to the source and to the examples, which lie beside the site.
  ignoreDeadLinks: [/^\.?\.?\/?(?:\.\.\/)+/],
  vite: { publicDir: false, build: { chunkSizeWarningLimit: 2_000 } },
  // Braces in tables are text, not expressions.
  markdown: { attrs: { disable: true } },
  themeConfig: {
    search: {
      provider: 'local',
      // The page of all names mentions every word: what explains one comes first.
      options: {
        miniSearch: { searchOptions: { boostDocument: (page: string) => (page.includes('/api') ? 0.1 : 1) } },
      },
    },
    nav: [page('Start', '/start'), page('How to', '/how-to'), page('Examples', '/examples'), page('Reference', '/options')],
    sidebar: [
      {
        text: 'Begin',
        items: [
          page('Start in five minutes', '/start'),
          page('Concepts', '/concepts'),
          page('How to', '/how-to'),
          page('Examples', '/examples'),
          page('Coming from', '/coming-from'),
          page('Coming from Broadway', '/coming-from-broadway'),
          page('Coming from GoFlow', '/coming-from-goflow'),
        ],
      },
      {
        text: 'Build',
        items: [
          page('Pipelines', '/pipelines'),
          page('Requests', '/requests'),
          page('Import', '/import'),
        ],
      },
      {
        text: 'Connectors',
        items: [
          page('Overview', '/connectors/README'),
          page('RabbitMQ', '/connectors/rabbitmq'),
          page('NATS JetStream', '/connectors/nats'),
          page('Redis Streams', '/connectors/redis'),
          page('PostgreSQL', '/connectors/postgres'),
          page('CSV', '/connectors/csv'),
          page('NDJSON', '/connectors/ndjson'),
          page('Directories and growing files', '/connectors/files'),
          page('Schedules', '/connectors/cron'),
        ],
      },
      {
        text: 'Ship',
        items: [
          page('Deploy', '/deploy'),
          page('Bundlers and runtimes', '/bundling'),
          page('Test', '/testing'),
          page('Operate', '/operations'),
          page('Performance', '/performance'),
          page('Reliability', '/reliability'),
          page('Durable runs', '/durability'),
        ],
      },
      {
        text: 'Tools',
        items: [
          page('Commands', '/cli'),
          page('Drawing', '/drawing'),
          page('Analysis', '/analysis'),
          page('Control API', '/control'),
          page('Tracing', '/tracing'),
          page('Questions to traces', '/tracing-questions'),
          page('Where traces are kept', '/trace-store'),
        ],
      },
      {
        text: 'Reference',
        items: [
          page('API', '/api'),
          page('Options', '/options'),
          page('Errors', '/errors'),
          page('Problems', '/problems'),
          page('Events', '/events'),
          page('Figures', '/figures'),
          page('Vocabulary', '/vocabulary'),
          page('Architecture', '/architecture'),
          page('Protocol', '/protocol'),
        ],
      },
    ],
  },
})
