/* oxlint-disable typescript/no-extraneous-class -- a module of Nest is a class */
import 'reflect-metadata'
import { Controller, Get, Inject, Module, Query } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { handleSignals, type Pipeline, run } from 'millrace'
import { graph } from './graph'

@Controller()
class Doubles {
  constructor(@Inject('pipeline') private readonly pipeline: Pipeline) {}

  @Get('double')
  double(@Query('n') n: string): Promise<unknown> {
    return this.pipeline.call('in', Number(n))
  }
}

@Module({ controllers: [Doubles], providers: [{ provide: 'pipeline', useFactory: () => run(graph) }] })
class Service {}

async function main(): Promise<void> {
  const app = await NestFactory.create(Service, { logger: false })
  await app.listen(Number(process.env['PORT']))
  handleSignals(app.get<Pipeline>('pipeline'), { server: app })
}

void main()
