// The declaration of a namespace: the shape of `UserConfig.Namespaces[0]` of Microsoft's Service Bus emulator
// (https://learn.microsoft.com/azure/service-bus-messaging/test-locally-with-service-bus-emulator), and our
// `AuthorizationRules`, which the emulator has not.
import { z } from 'zod';
import type { AuthorizationRule } from './auth/sas.ts';
import type { Broker } from './core/broker.ts';
import { subscriptionPath } from './core/broker.ts';
import type { EntityKind, Properties } from './core/entity.ts';
import { type CorrelationKey, correlationFilter, type Filter, type Rule, sqlAction, sqlFilter } from './core/rules.ts';

const Scalar = z.union([z.string(), z.number(), z.boolean()]);
const PropertyBag = z.record(z.string(), z.union([Scalar, z.null()])).default({});
const RuleShape = z.object({
  Name: z.string(),
  Properties: z.object({
    FilterType: z.enum(['Correlation', 'Sql', 'SQL']),
    CorrelationFilter: z
      .object({
        CorrelationId: z.string().optional(),
        MessageId: z.string().optional(),
        To: z.string().optional(),
        ReplyTo: z.string().optional(),
        Label: z.string().optional(),
        SessionId: z.string().optional(),
        ReplyToSessionId: z.string().optional(),
        ContentType: z.string().optional(),
        Properties: z.record(z.string(), Scalar).default({}),
      })
      .optional(),
    SqlFilter: z.object({ SqlExpression: z.string() }).optional(),
    Action: z.object({ SqlExpression: z.string().optional() }).optional(),
  }),
});
const SubscriptionShape = z.object({
  Name: z.string(),
  Properties: PropertyBag,
  Rules: z.array(RuleShape).default([]),
});

/** A namespace as declared. */
export const NamespaceShape = z.object({
  Name: z.string().default('local'),
  Queues: z.array(z.object({ Name: z.string(), Properties: PropertyBag })).default([]),
  Topics: z
    .array(
      z.object({ Name: z.string(), Properties: PropertyBag, Subscriptions: z.array(SubscriptionShape).default([]) }),
    )
    .default([]),
  AuthorizationRules: z
    .array(
      z.object({
        KeyName: z.string(),
        Key: z.string().min(1),
        Rights: z.array(z.enum(['Send', 'Listen', 'Manage'])),
        Entity: z.string().optional(),
      }),
    )
    .default([]),
});

export type NamespaceInput = z.input<typeof NamespaceShape>;
export type Namespace = z.output<typeof NamespaceShape>;

export function authorizationRules(namespace: Namespace): AuthorizationRule[] {
  return namespace.AuthorizationRules.map(({ KeyName, Key, Rights, Entity }) => ({
    keyName: KeyName,
    key: Key,
    rights: Rights,
    entity: Entity,
  }));
}

const plain = (bag: z.output<typeof PropertyBag>): Properties =>
  Object.fromEntries(Object.entries(bag).flatMap(([key, value]) => (value === null ? [] : [[key, String(value)]])));

/** Creates what is declared and missing. What exists stays as it is, whatever the declaration says now. */
export function declare(broker: Broker, namespace: Namespace): void {
  // Forwarding comes last, for it may name what is declared later.
  const forwarding: (() => void)[] = [];
  const create = (
    kind: EntityKind,
    path: string,
    { ForwardTo, ForwardDeadLetteredMessagesTo, ...rest }: Properties,
    rule?: Rule,
  ) => {
    broker.create(kind, path, rest, rule);
    const forwards = {
      ...(ForwardTo && { ForwardTo }),
      ...(ForwardDeadLetteredMessagesTo && { ForwardDeadLetteredMessagesTo }),
    };
    if (Object.keys(forwards).length > 0) forwarding.push(() => broker.update(kind, path, { ...rest, ...forwards }));
  };
  for (const { Name, Properties } of namespace.Queues) {
    if (!broker.find(Name)) create('queue', Name, plain(Properties));
  }
  for (const { Name, Properties, Subscriptions } of namespace.Topics) {
    if (!broker.find(Name)) create('topic', Name, plain(Properties));
    for (const subscription of Subscriptions) {
      const path = subscriptionPath(Name, subscription.Name);
      if (broker.find(path)) continue;
      const [first, ...others] = subscription.Rules.map((rule) => readRule(rule, broker.environment.now()));
      create('subscription', path, plain(subscription.Properties), first);
      for (const rule of others) broker.addRule(path, rule);
    }
  }
  for (const run of forwarding) run();
}

function readRule({ Name, Properties }: z.output<typeof RuleShape>, createdAt: number): Rule {
  const action = sqlAction(Properties.Action?.SqlExpression);
  const correlation = Properties.CorrelationFilter;
  const filter: Filter =
    Properties.FilterType === 'Correlation' && correlation
      ? correlationFilter(system(correlation), correlation.Properties)
      : sqlFilter(Properties.SqlFilter?.SqlExpression ?? '1=1');
  return { name: Name, filter, action, createdAt };
}

/** Correlation properties by the names of ATOM and the emulator's configuration. */
export const correlationNames: Record<CorrelationKey, string> = {
  correlationId: 'CorrelationId',
  messageId: 'MessageId',
  to: 'To',
  replyTo: 'ReplyTo',
  subject: 'Label',
  sessionId: 'SessionId',
  replyToSessionId: 'ReplyToSessionId',
  contentType: 'ContentType',
};

export function system(fields: Record<string, unknown>): Partial<Record<CorrelationKey, string>> {
  const found: Partial<Record<CorrelationKey, string>> = {};
  for (const [key, name] of Object.entries(correlationNames)) {
    const value = fields[name];
    if (typeof value === 'string') found[key as CorrelationKey] = value;
  }
  return found;
}
