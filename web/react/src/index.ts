/** The elements as React components: typed properties, and events as `on…` handlers. */
import { createComponent, type EventName } from '@lit/react';
import {
  RecountExports as Exports, RecountKeys as Keys, RecountLog as Log, RecountPortal as Portal, RecountStreams as Streams,
} from '@recount/elements';
import * as React from 'react';

type Opened = CustomEvent<{ id: string; title: string } | null>;
type Failed = CustomEvent<{ status: number; code: string; detail: string; requestId: string }>;

const shared = {
  onExpired: 'recount-expired' as EventName<CustomEvent<undefined>>,
  onError: 'recount-error' as EventName<Failed>,
};

/** The audit log of one tenant. */
export const RecountLog = createComponent({
  react: React, tagName: 'recount-log', elementClass: Log, events: { ...shared, onEventOpened: 'recount-event-opened' as EventName<Opened> },
});

/** The export jobs. */
export const RecountExports = createComponent({ react: React, tagName: 'recount-exports', elementClass: Exports, events: shared });

/** The API keys. */
export const RecountKeys = createComponent({ react: React, tagName: 'recount-keys', elementClass: Keys, events: shared });

/** The streams. */
export const RecountStreams = createComponent({ react: React, tagName: 'recount-streams', elementClass: Streams, events: shared });

/** All pages under one head. */
export const RecountPortal = createComponent({
  react: React, tagName: 'recount-portal', elementClass: Portal,
  events: { ...shared, onEventOpened: 'recount-event-opened' as EventName<Opened>, onPage: 'recount-page' as EventName<CustomEvent<string>>, onTheme: 'recount-theme' as EventName<CustomEvent<string>> },
});
