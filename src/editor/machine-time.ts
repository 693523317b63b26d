import {
  type KyselyPlugin,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type PrimitiveValueListNode,
  type QueryResult,
  type RootOperationNode,
  type UnknownRow,
  type ValueNode,
} from 'kysely'
import type { Clock } from '../clock.ts'

/**
 * For a library that reads the machine's clock and knows only `Date`: what it writes is moved to our clock, and what it
 * reads is moved back, so that the tables have one time and its own sums still come out.
 */
export class MachineTimePlugin implements KyselyPlugin {
  readonly #clock: Clock
  readonly #transformer: DatesToOurs

  constructor(clock: Clock) {
    this.#clock = clock
    this.#transformer = new DatesToOurs(() => this.#ahead())
  }

  transformQuery(args: PluginTransformQueryArgs): RootOperationNode {
    return this.#transformer.transformNode(args.node, args.queryId)
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    const ahead = this.#ahead()
    const back = (value: unknown) =>
      value instanceof Temporal.Instant ? new Date(value.epochMilliseconds - ahead) : value
    const rows = result.rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, back(value)])),
    )
    return { ...result, rows }
  }

  /** Milliseconds that our clock is ahead of the machine's. */
  #ahead(): number {
    return this.#clock().epochMilliseconds - Date.now()
  }
}

class DatesToOurs extends OperationNodeTransformer {
  readonly #ahead: () => number

  constructor(ahead: () => number) {
    super()
    this.#ahead = ahead
  }

  protected override transformValue(node: ValueNode): ValueNode {
    return { ...node, value: this.#ours(node.value) }
  }

  protected override transformPrimitiveValueList(node: PrimitiveValueListNode): PrimitiveValueListNode {
    return { ...node, values: node.values.map((value) => this.#ours(value)) }
  }

  #ours(value: unknown): unknown {
    if (!(value instanceof Date)) return value
    return Temporal.Instant.fromEpochMilliseconds(value.getTime() + this.#ahead()).toString()
  }
}
