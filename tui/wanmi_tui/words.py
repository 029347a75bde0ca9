"""Every word on the screens, in Chinese and English: an attribute each, so that a missing one is a type error."""

from __future__ import annotations

from wanmi_tui.texts import LANGS, Lang, Text
from wanmi_tui.words_terminals import TerminalWords

__all__ = ["LANGS", "Lang", "T", "Text", "word"]


class T(TerminalWords):
    """The texts."""

    # time
    just_now = Text("刚刚", "now")
    seconds = Text("{n} 秒", "{n} s")
    minutes = Text("{n} 分", "{n} min")
    hours = Text("{n} 时", "{n} h")
    days = Text("{n} 天", "{n} d")

    # sections: short for the line of tabs, long for titles
    nodes = Text("节点", "Nodes")
    nodes_long = Text("节点与链路", "Nodes and links")
    alarms = Text("告警", "Alarms")
    power = Text("电源", "UPS")
    power_long = Text("不间断电源与发电机", "UPS and generators")
    gnss = Text("定位", "GNSS")
    gnss_long = Text("卫星定位接收机", "GNSS receivers")
    terminals = Text("终端", "Terminals")
    terminals_long = Text("采集终端", "Collectors' terminals")
    vehicles = Text("车辆", "Vehicles")
    vehicles_long = Text("巡查与作业车辆", "Vehicles")
    displays = Text("显示", "Displays")
    displays_long = Text("显示设备与场景", "Displays and scenes")
    network = Text("网络", "Net")
    network_long = Text("网络与其他设备", "Network gear and other devices")
    spool = Text("收件", "Spool")
    spool_long = Text("上报台账与拒收件", "Ledger and refused reports")
    journal = Text("日志", "Journal")
    journal_long = Text("日志尾部", "Tail of the journal")

    # reach of a node
    connecting = Text("连接中", "connecting")
    up = Text("已连接", "connected")
    lost = Text("已断开", "lost")
    refused = Text("被拒绝", "refused")
    paused = Text("已暂停", "paused")
    banner_lost = Text(
        "! {node} 已断开：{why}。正在重连；以下为 {at} 的数据", "! {node} is lost: {why}. Trying again; shown is {at}"
    )
    banner_refused = Text("! {node} 拒绝访问：{why}", "! {node} refuses: {why}")
    banner_connecting = Text("… 正在连接 {node}", "… connecting to {node}")
    no_answer = Text("无应答", "no answer")
    timed_out = Text("应答超时", "no answer in time")
    bad_answer = Text("应答无法识别（{what}）：版本不同？", "its answer does not fit ({what}): another version?")
    not_signed = Text(
        "证书不可信：把该节点的 DIR/tls/ca.crt 复制到本机，用 --ca 指定（证书：{cert}）",
        "certificate not trusted: copy the node's DIR/tls/ca.crt here, give it with --ca (it is {cert})",
    )
    not_signed_by = Text(
        "证书不是由 --ca {ca} 签发的：换用该节点自己的 DIR/tls/ca.crt（证书：{cert}）",
        "certificate not signed by --ca {ca}: give that node's own DIR/tls/ca.crt (it is {cert})",
    )
    certificate_of_another = Text(
        "证书不含 {host}：--url 改用其中的名称，或在节点 [web] names 加上它（证书：{cert}）",
        "certificate not for {host}: use a name of it in --url, or add it to the node's [web] names (it is {cert})",
    )
    certificate_expired = Text(
        "证书不在有效期内：核对两边的时钟，重启节点会换新证书（证书：{cert}）",
        "certificate out of its time: check both clocks; the node renews it at a restart (it is {cert})",
    )
    tls_failed = Text("TLS 失败：{what}", "TLS failed: {what}")
    speaks_plain = Text("那里说的是明文 HTTP：--url 改用 http://", "it speaks plain HTTP there: use http:// in --url")
    hung_up = Text("对方挂断：那里是 HTTPS 吗？改用 https://", "it hung up: does it speak HTTPS there? use https://")
    moved = Text("地址被转向：请用节点自己的地址", "the address redirects: give the node's own")
    token_refused = Text("令牌无效或已吊销", "the token is wrong or revoked")

    # emptiness
    waiting = Text("正在读取…", "reading…")
    absent = Text("此节点没有{what}", "this node has no {what}")
    empty = Text("没有{what}", "no {what}")
    nothing_found = Text("没有符合“{find}”的内容（Esc 取消查找）", "nothing fits “{find}” (Esc ends the search)")
    may_not = Text("令牌无权查看：{why}", "the token may not look: {why}")
    what_devices = Text("此类设备", "such device")
    what_terminals = Text("采集终端", "terminals")
    what_vehicles = Text("车辆", "vehicles")
    what_displays = Text("显示设备", "displays")
    what_alarms = Text("未解除的告警", "open alarms")
    what_ledger = Text("上报台账（边缘节点才有）", "ledger of reports (edges have one)")
    what_entries = Text("日志条目", "entries")
    what_nodes = Text("节点", "nodes")

    # columns and fields
    node = Text("节点", "node")
    name = Text("名称", "name")
    role = Text("角色", "role")
    state = Text("状态", "state")
    why = Text("原因", "why")
    heard = Text("联系", "heard")
    lag = Text("滞后", "lag")
    backlog = Text("积压", "backlog")
    head = Text("日志头", "head")
    cosigned = Text("已会签", "countersigned")
    by = Text("会签方", "by")
    severity = Text("级别", "severity")
    device = Text("设备", "device")
    what = Text("内容", "what")
    value = Text("数值", "value")
    since = Text("历时", "for")
    seen = Text("确认", "seen")
    driver = Text("驱动", "driver")
    kind = Text("类别", "kind")
    charge = Text("电量", "charge")
    load = Text("负载", "load")
    runtime = Text("可用", "left")
    supply = Text("供电", "supply")
    power_state = Text("电源", "power")
    input = Text("信号源", "input")
    fix = Text("定位", "fix")
    place = Text("位置", "place")
    satellites = Text("卫星", "sats")
    systems = Text("星座", "systems")
    speed = Text("速度", "speed")
    course = Text("航向", "course")
    terminal = Text("终端", "terminal")
    holder = Text("持有人", "holder")
    battery = Text("电池", "battery")
    version = Text("版本", "version")
    queue = Text("待发", "queue")
    vehicle = Text("车辆", "vehicle")
    fences = Text("围栏", "fences")
    said = Text("读数", "it says")
    id = Text("编号", "id")
    reading = Text("量", "reading")
    raw = Text("原始值", "raw")
    quality = Text("质量", "quality")
    trend = Text("趋势", "trend")
    time = Text("时间", "time")
    seq = Text("序号", "seq")
    entry = Text("类型", "kind")
    subject = Text("对象", "subject")
    actor = Text("经手", "actor")
    parent = Text("上级", "parent")
    identity = Text("标识", "identity")
    events = Text("事件", "events")
    tries_again = Text("重试", "tries again")
    report = Text("上报", "report")
    size = Text("大小", "size")
    reason = Text("原因", "reason")
    note = Text("备注", "note")
    scene = Text("场景", "scene")
    page = Text("页面", "page")

    # fields of records that no column has
    occurrence = Text("第几次", "occurrence")
    raised = Text("触发于", "raised")
    seen_at = Text("最近联系", "heard")
    handled = Text("确认人", "seen by")
    quiet = Text("静音至", "quiet until")
    began = Text("自", "since")
    rule = Text("规则", "rule")
    settings = Text("设置", "settings")
    failures = Text("连续失败", "failures")
    samples = Text("采样数", "samples")
    topic = Text("主题", "topic")
    detail = Text("详情", "detail")
    sample = Text("原文", "content")
    number = Text("上报编号", "report's number")
    trip = Text("往返（毫秒）", "round trip (ms)")
    body = Text("正文", "body")
    hash = Text("散列", "hash")
    yes = Text("是", "yes")

    # states
    fine = Text("正常", "fine")
    warn = Text("注意", "warning")
    bad = Text("故障", "fault")
    unknown = Text("未知", "unknown")
    off = Text("停用", "off")
    never_seen = Text("从未上报", "never seen")
    implausible = Text("不可信", "implausible")
    stale = Text("过期", "stale")
    unreachable = Text("无法连接", "unreachable")
    good = Text("良好", "good")
    notice = Text("提示", "notice")
    warning = Text("警告", "warning")
    critical = Text("严重", "critical")
    standing = Text("持续", "standing")
    over = Text("已恢复待确认", "over, unseen")
    cleared = Text("已解除", "cleared")
    silenced = Text("静音至 {at}", "quiet till {at}")
    acknowledged = Text("已确认 {by} {at}", "seen by {by} {at}")
    not_acknowledged = Text("未确认", "unseen")
    mains = Text("市电", "mains")
    on_battery = Text("电池", "battery")
    low = Text("电量低", "low")
    bypass = Text("旁路", "bypass")
    valid = Text("有效", "valid")
    no_fix = Text("无定位", "no fix")
    current = Text("在用", "in use")
    revoked = Text("已吊销", "revoked")
    pending = Text("待批准", "pending")
    city = Text("市", "city")
    district = Text("区", "district")
    edge = Text("边缘", "edge")
    link_up = Text("链路通", "link up")
    link_down = Text("链路断", "link down")

    # terminals and scenes
    not_connected = Text("未连接", "not connected")
    confirmed = Text("心跳经区节点往返：{at} {trip}", "its heartbeat went to the district and back: {at} {trip}")
    unconfirmed = Text("心跳尚未经区节点往返", "no heartbeat of it has come back from the district yet")
    counts = Text("待办任务 {tasks} · 被拒 {refused}", "tasks waiting {tasks} · refused {refused}")
    credentials = Text("凭证自", "credentials since")
    called = Text("已触发", "called")
    ready = Text("就绪", "ready")
    shown = Text("已上屏", "shown")
    back = Text("已恢复", "back")
    alarm = Text("告警", "alarm")
    event = Text("事件", "event")
    hand = Text("人工", "by hand")
    scene_title = Text("场景 {name}", "Scene {name}")
    call_scene = Text("触发", "call it")
    end_scene = Text("结束", "end it")
    wall = Text("显示墙", "wall")
    wall_title = Text("显示墙 {name}", "Wall {name}")
    wall_new = Text("准入显示墙", "Admit a wall")
    wall_name_hint = Text("名称：wall- 加小写字母、数字、连字符", "its name: wall- and small letters, digits, hyphens")
    wall_password = Text("换发密码（旧密码失效）", "a new password (the old one ends)")
    wall_revoke = Text("吊销", "revoke it")
    wall_once = Text("密码只显示这一次；按 y 复制", "the password is shown this once; y copies it")
    wall_on_pc = Text("在墙后的电脑上", "on the wall's PC")
    wall_not_added = Text("尚未添加为显示设备：驱动 wall-mqtt", "not added as a display yet: driver wall-mqtt")
    wall_silent = Text(
        "无消息：它的电脑上运行着 wanmi wall run 吗？", "not heard: does `wanmi wall run` run on its PC?"
    )
    password = Text("密码", "password")
    broker = Text("代理", "broker")
    authority = Text("CA 证书", "CA certificate")
    admitted = Text("已准入", "admitted")
    gone = Text("已离开", "gone")
    why_hint = Text("原因（可空），回车执行", "why (may be empty), Enter to do it")

    # vehicles
    watched = Text("监视中", "watched")
    corners = Text("{n} 边形", "{n} corners")
    fence_rule = Text("围栏：离开 {margin} 米、{dwell} 秒后才算", "fence: counts after {margin} m and {dwell} s")

    # ledger and refused reports
    holds = Text("账平", "it adds up")
    missing = Text("缺 {n}", "{n} missing")
    sums = Text(
        "收 {taken} = 送达 {delivered} + 等待 {waiting} + 拒收 {refused}",
        "taken {taken} = delivered {delivered} + waiting {waiting} + refused {refused}",
    )
    nobodys = Text("无主消息", "junk")
    answer = Text("回复", "answer")
    track = Text("轨迹", "track")
    junk = Text("无主消息 {n}", "junk {n}")
    can_retry = Text("可重试", "can be retried")
    stays_refused = Text("拒收", "refused")
    retry_title = Text("重试 {what}", "Retry {what}")
    not_refused = Text("这里没有可重试的拒收件", "there is no refused report here to retry")
    advice = Text("怎么办", "what to do")

    # notes under a table
    count = Text("{n} 项", "{n}")
    counted = Text("{shown}/{all} 项", "{shown} of {all}")
    forks = Text("分叉 {n}", "forks {n}")
    quarantined = Text("隔离 {n}", "quarantined {n}")
    at_edge_only = Text(
        "读数在边缘节点 {edge}；用 --url 加上它可看明细", "readings stay at edge {edge}: add its --url to see them"
    )
    next_try = Text("{in_} 后重试（已失败 {n} 次）", "tries again in {in_} ({n} failures)")

    # keys and their help
    k_sections = Text("去某一栏", "go to a section")
    k_next = Text("下一栏 / 上一栏", "next / previous section")
    k_move = Text("移动", "move")
    k_open = Text("打开明细", "open what is chosen")
    k_find = Text("查找（Esc 取消）", "find (Esc ends it)")
    k_node = Text("只看下一个节点", "show the next node only")
    k_ack = Text("确认告警（可写备注）；批准终端", "acknowledge an alarm; admit a terminal")
    k_silence = Text("静音告警（到期自动恢复）", "silence an alarm until a time")
    k_retry = Text("重试拒收件", "retry a refused report")
    k_verify = Text("核验日志链", "verify the chain")
    k_command = Text("给设备下命令", "tell a device something")
    k_wall = Text("准入显示墙", "admit a wall")
    k_copy = Text("复制所选行（OSC 52）", "copy the chosen line (OSC 52)")
    k_pause = Text("暂停 / 继续刷新", "pause, go on")
    k_refresh = Text("立即刷新", "read again now")
    k_palette = Text("命令面板", "command palette")
    k_theme = Text("换主题", "change the theme")
    k_lang = Text("English", "中文")
    k_help = Text("帮助", "help")
    k_back = Text("返回", "back")
    k_quit = Text("退出", "quit")
    key_open = Text("明细", "open")
    key_find = Text("查找", "find")
    key_ack = Text("确认", "ack")
    key_silence = Text("静音", "silence")
    key_retry = Text("重试", "retry")
    key_verify = Text("核验", "verify")
    key_command = Text("命令", "tell")
    key_wall = Text("准入墙", "admit wall")
    key_copy = Text("复制", "copy")
    key_pause = Text("暂停", "pause")
    key_go_on = Text("继续", "go on")
    key_node = Text("节点", "node")
    help_title = Text("按键", "Keys")
    help_words = Text(
        "颜色从不是唯一的标记：状态都有文字。时间为北京时间。数据按需读取；有新条目时立即刷新。",
        "Colour is never the only sign: every state has its word. Times are Beijing time. "
        "Only what is shown is read; new entries refresh it at once.",
    )

    # doing
    ack_title = Text("确认告警：{what}", "Acknowledge: {what}")
    note_hint = Text("备注（可空），回车确认", "a note (may be empty), Enter to do it")
    silence_title = Text("静音：{what}", "Silence: {what}")
    for_minutes = Text("{n} 分钟", "{n} min")
    for_hours = Text("{n} 小时", "{n} h")
    silence_end = Text("取消静音", "let it shout again")
    command_title = Text("对 {name} 下命令", "Tell {name}")
    confirm_risky = Text("此命令会中断服务。键入 {word} 以执行", "This takes something away. Type {word} to do it")
    no_commands = Text("此设备不接受命令", "this device takes no commands")
    done = Text("✓ 已完成：{what}", "✓ done: {what}")
    failed = Text("✗ 未完成：{why}", "✗ not done: {why}")
    copied = Text("已复制", "copied")
    nothing_chosen = Text("没有选中任何项", "nothing is chosen")
    not_an_alarm = Text("这里没有告警可处理", "there is no alarm to handle here")
    verifying = Text("正在核验 {origin}…", "verifying {origin}…")
    verified = Text(
        "✓ 链 {origin}：{n} 条相符，头签名有效，{cosigned}",
        "✓ chain {origin}: {n} entries fit, head signed, {cosigned}",
    )
    verified_unsigned = Text(
        "✓ 链 {origin}：{n} 条相符；头未在此签名，{cosigned}",
        "✓ chain {origin}: {n} entries fit; head not signed yet, {cosigned}",
    )
    cosigned_to = Text("会签至 {seq}（{by}）", "countersigned to {seq} by {by}")
    not_cosigned = Text("尚未会签", "not countersigned yet")
    chain_broken = Text("✗ 链 {origin} 在第 {seq} 条处不符：{why}", "✗ chain {origin} does not fit at {seq}: {why}")
    hash_differs = Text("散列不同", "the hash differs")
    bytes_differ = Text("字节与摘要不符", "bytes do not fit their digest")
    head_differs = Text("头签名无效", "the head's signature does not hold")
    redacted = Text("（未授权，仅摘要）", "(not for this node: digest only)")

    # the command palette
    p_go = Text("去：{where}", "Go to: {where}")
    p_lang = Text("语言：中文 / English", "Language: 中文 / English")
    p_theme = Text("主题：{name}", "Theme: {name}")
    p_pause = Text("暂停或继续刷新", "Pause or go on")
    p_refresh = Text("立即刷新", "Read again now")
    p_node = Text("只看节点：{name}", "Only node: {name}")
    p_all_nodes = Text("看全部节点", "All nodes")
    p_verify = Text("核验日志链", "Verify the chain")
    p_help = Text("帮助：按键", "Help: keys")
    p_quit = Text("退出", "Quit")
    p_hint = Text("查找命令…", "find a command…")


_WORDS: dict[str, Text] = {
    "": Text("–", "–"),
    "on_battery": T.on_battery,
    "battery": T.on_battery,
    "junk": T.nobodys,
}


def word(state: str | None, lang: Lang) -> str:
    """The word of a state as the API names it; one that nobody knows stays as it is."""
    known = _WORDS.get(state or "") or getattr(T, state or "", None)
    return known.to(lang) if isinstance(known, Text) else state or "–"
