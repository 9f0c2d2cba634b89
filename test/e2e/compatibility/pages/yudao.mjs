// Behaves as the chat page of yudao does: `useWebSocket` with a heartbeat, and content that is JSON text both ways.
import { useWebSocket } from '@vueuse/core';
import { createApp, h, ref, watchEffect } from 'vue';

const options = new URLSearchParams(location.search);
const heartbeat = options.has('heartbeat') ? JSON.parse(options.get('heartbeat')) : true;

const Chat = {
  setup() {
    const lines = ref([]);
    const faults = ref([]);
    const text = ref('');
    const toUserId = ref('');
    const { status, data, send, close } = useWebSocket(options.get('server'), {
      autoReconnect: true,
      heartbeat,
      onConnected: () => lines.value.push('connected'),
    });

    watchEffect(() => {
      if (!data.value || data.value === 'pong') return;
      try {
        const { type, content: written } = JSON.parse(data.value);
        const content = JSON.parse(written);
        // The one line that docs/migrate.md adds.
        if (options.has('advised') && type === 'closing' && !content.retry) close();
        if (type === 'demo-message-receive') {
          lines.value.push(
            `${content.single ? 'to you' : 'to all'} from ${content.fromUserId}: ${content.text}`,
          );
        } else if (type === 'notice-push') lines.value.push(`notice: ${content.title}`);
        else lines.value.push(`unknown ${type}`);
      } catch (fault) {
        faults.value.push(String(fault));
      }
    });

    const onClick = () => {
      const content = JSON.stringify({ text: text.value, toUserId: toUserId.value });
      send(JSON.stringify({ type: 'demo-message-send', content }));
    };
    const input = (id, value) =>
      h('input', { id, value: value.value, onInput: (event) => (value.value = event.target.value) });
    const list = (id, items) =>
      h(
        'ul',
        { id },
        items.map((item) => h('li', item)),
      );
    return () => [
      h('p', { id: 'status' }, status.value),
      input('to', toUserId),
      input('text', text),
      h('button', { id: 'send', onClick }, 'Send'),
      list('lines', lines.value),
      list('faults', faults.value),
    ];
  },
};

createApp(Chat).mount('#app');
